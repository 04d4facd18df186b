import { expect, test } from "vitest";
import { mountPointsIn } from "./own-engine.js";

test("mount points are read with their escaped characters", () => {
  const mounts = "overlay / overlay rw 0 0\n/dev/vda /data/a\\040b/engine/data ext4 rw 0 0\n";
  expect(mountPointsIn(mounts)).toEqual(["/", "/data/a b/engine/data"]);
});
