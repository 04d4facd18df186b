import { cpus, totalmem } from "node:os";
import { type Summary, summaryOf } from "./statistics.js";
import { type Measurements, STEPS } from "./steps.js";

/** A step as it was measured on the mesh and, where there is such a thing, with docker. */
export interface Row {
  readonly step: string;
  readonly unit: "ms" | "MB/s";
  readonly mesh?: Summary;
  /** What was done with docker instead. */
  readonly dockerStep?: string;
  readonly docker?: Summary;
}

/** The rows of the table, in its order. */
export function rowsOf(mesh: Measurements, docker: Measurements): Row[] {
  return STEPS.map(({ name, docker: dockerStep, unit }) => {
    const summary = (values: readonly number[] | undefined) =>
      values && summaryOf(values, unit === "ms" ? "highest" : "lowest");
    const ours = summary(mesh[name]);
    const theirs = summary(docker[name]);
    return {
      step: name,
      unit,
      ...(ours && { mesh: ours }),
      ...(theirs && { dockerStep, docker: theirs }),
    };
  });
}

/** The rows as a table for people. */
export function tableOf(rows: readonly Row[]): string {
  const cells = [
    ["", "", "median", "p99", "n", "median", "p99", "n", ""],
    ...rows.map(({ step, unit, mesh, docker, dockerStep }) => [
      step,
      unit,
      ...cellsOf(mesh),
      ...cellsOf(docker),
      dockerStep ?? "",
    ]),
  ];
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) =>
        isNumeric(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
  const meshColumn = (widths[0] ?? 0) + (widths[1] ?? 0) + 4;
  const dockerColumn = meshColumn + (widths[2] ?? 0) + (widths[3] ?? 0) + (widths[4] ?? 0) + 6;
  return [`${" ".repeat(meshColumn)}mesh`.padEnd(dockerColumn).concat("docker"), ...lines].join("\n");
}

/** The rows for programs. */
export function jsonOf(rows: readonly Row[]): string {
  const machine = {
    cpus: cpus().length,
    cpuModel: cpus()[0]?.model ?? "",
    memoryBytes: totalmem(),
    node: process.version,
  };
  return `${JSON.stringify({ time: new Date().toISOString(), machine, rows }, undefined, 2)}\n`;
}

function isNumeric(column: number): boolean {
  return column >= 2 && column <= 7;
}

function cellsOf(summary: Summary | undefined): string[] {
  return summary === undefined ? ["", "", ""] : [shown(summary.median), shown(summary.p99), String(summary.n)];
}

/** Three digits that matter. */
function shown(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
