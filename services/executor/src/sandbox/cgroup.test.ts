import { expect, test } from "vitest";
import { directoriesOf } from "./cgroup.js";

const V1 = "5:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n0::/\n";
const V2 = "0::/system.slice/docker-abc.scope\n";

test("finds a version 1 controller under its own name and under that of its joint mount", () => {
  expect(directoriesOf("/sys/fs/cgroup", V1, "abc", "cpuacct")).toEqual(
    expect.arrayContaining(["/sys/fs/cgroup/cpu,cpuacct/docker/abc", "/sys/fs/cgroup/cpuacct/docker/abc"]),
  );
  expect(directoriesOf("/sys/fs/cgroup", V1, "abc", "memory")[0]).toBe("/sys/fs/cgroup/memory/docker/abc");
});

test("finds version 2 at the root and beside version 1", () => {
  expect(directoriesOf("/cg", V2, "abc", undefined)).toEqual(
    expect.arrayContaining(["/cg/system.slice/docker-abc.scope", "/cg/unified/system.slice/docker-abc.scope"]),
  );
  expect(directoriesOf("/cg", V2, "abc", "memory")).toEqual([]);
});

test("does not take the host's own counters for a container's", () => {
  const directories = directoriesOf("/cg", V1, "abc", undefined);
  expect(directories).not.toContain("/cg");
  expect(directories).not.toContain("/cg/unified");
});

test("finds a container by its id when the membership is told relative to the executor's own", () => {
  expect(directoriesOf("/host/cgroup", "0::/../abc\n", "abc", undefined)).toContain(
    "/host/cgroup/system.slice/docker-abc.scope",
  );
});
