import { describe, expect, it } from "vitest";
import { summaryOf } from "./statistics.js";

describe("a summary", () => {
  it("has the middle value, or the mean of the two in the middle", () => {
    expect(summaryOf([3, 1, 2])).toEqual({ median: 2, p99: 3, n: 3 });
    expect(summaryOf([4, 1, 3, 2])).toEqual({ median: 2.5, p99: 4, n: 4 });
  });

  it("has as p99 a value that 99 % were as good as, whichever end is good", () => {
    const values = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(summaryOf(values).p99).toBe(99);
    expect(summaryOf(values, "lowest").p99).toBe(2);
  });
});
