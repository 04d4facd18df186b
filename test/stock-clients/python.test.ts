import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { mesh } from "../mesh/mesh.js";

const PROTO = join(import.meta.dirname, "../../proto");
const CLIENT = join(import.meta.dirname, "client.py");
/** Debian's own, which the packages python3-grpcio and python3-grpc-tools belong to. */
const PYTHON = "/usr/bin/python3";

const execute = promisify(execFile);

it("a Python client generated with Debian's grpcio-tools creates, runs, cancels, moves files, reads errors and stops", async () => {
  const generated = await mkdtemp(join(tmpdir(), "codemesh-python-"));
  try {
    await execute(PYTHON, [
      "-m",
      "grpc_tools.protoc",
      `-I${PROTO}`,
      `--python_out=${generated}`,
      `--grpc_python_out=${generated}`,
      ...["session", "execution", "file", "metering"].map((area) => `codemesh/${area}/v1/${area}.proto`),
      "google/rpc/status.proto",
      "google/rpc/error_details.proto",
    ]);
    const { stdout } = await execute(PYTHON, [CLIENT, new URL(mesh().address).host], {
      env: { PATH: process.env["PATH"], PYTHONPATH: generated, CODEMESH_API_KEY: mesh().key },
    });

    const succeeded = { gapless: true, outcome: "OUTCOME_SUCCEEDED", error: "", state_preserved: true };
    expect(JSON.parse(stdout)).toEqual({
      execution: { ...succeeded, stdout: "out\n", result: "42" },
      state: { ...succeeded, stdout: "6\n", result: null },
      failure: {
        ...succeeded,
        outcome: "OUTCOME_FAILED",
        error: "ZeroDivisionError",
        stdout: "",
        result: null,
      },
      cancelled: {
        ...succeeded,
        outcome: "OUTCOME_CANCELLED",
        error: expect.any(String),
        stdout: "1\n",
        result: null,
      },
      files: { written: true, read: true },
      refusal: { code: "INVALID_ARGUMENT", reason: "SESSION_NAME_INVALID", domain: "codemesh" },
      end: "SESSION_STATE_TERMINATED",
    });
  } finally {
    await rm(generated, { recursive: true, force: true });
  }
});
