import { expect, test } from "vitest";
import { homeFrom, MAX_HOME_BYTES, makeDirectories, meshPaths } from "./paths.js";
import { Problem } from "./problem.js";

test("the data directory is CODEMESH_HOME, else below XDG_DATA_HOME, else below the home directory", () => {
  expect(homeFrom({ CODEMESH_HOME: "/data/mesh", XDG_DATA_HOME: "/xdg" })).toBe("/data/mesh");
  expect(homeFrom({ CODEMESH_HOME: "", XDG_DATA_HOME: "/xdg" })).toBe("/xdg/codemesh");
  expect(homeFrom({})).toMatch(/\/\.local\/share\/codemesh$/);
});

test("a data directory too long for sockets is refused before anything is made", () => {
  const home = `/${"d".repeat(MAX_HOME_BYTES)}`;
  expect(() => makeDirectories(meshPaths(home))).toThrow(Problem);
});
