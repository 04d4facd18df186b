import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { connect } from "@codemesh/sdk";
import { withColdMesh } from "./cold-mesh.js";
import { measureDocker } from "./docker-steps.js";
import { measureColdCreates, measureMesh } from "./mesh-steps.js";
import { jsonOf, rowsOf, tableOf } from "./report.js";

// Run by `./mesh bench`, which tells where the mesh is: CODEMESH_ADDRESS, CODEMESH_KEY_FILE, CODEMESH_RUNTIME_IMAGE,
// DOCKER_HOST.

function required(variable: string): string {
  const value = process.env[variable];
  if (value === undefined || value === "") {
    throw new Error(`${variable} is not set; run ./mesh bench.`);
  }
  return value;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: "string" } } });
  const report = (step: string) => process.stderr.write(`measuring ${step}\n`);
  const client = connect({
    address: required("CODEMESH_ADDRESS"),
    apiKey: readFileSync(required("CODEMESH_KEY_FILE"), "utf8").trim(),
  });
  try {
    report("CreateSession, cold, on a mesh without a warm pool");
    const cold = await withColdMesh(measureColdCreates);
    const mesh = await measureMesh(client, 2 * Math.max(...cold), report);
    const docker = await measureDocker(required("CODEMESH_RUNTIME_IMAGE"), report);
    const rows = rowsOf({ ...mesh, "CreateSession, cold": cold }, docker);
    process.stdout.write(`${tableOf(rows)}\n`);
    if (values.json !== undefined) {
      writeFileSync(values.json, jsonOf(rows));
    }
  } finally {
    client.close();
  }
}

await main();
