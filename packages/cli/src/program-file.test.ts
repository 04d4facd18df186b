import { Language } from "@codemesh/sdk";
import { expect, test } from "vitest";
import { dataFileFrom, languageOf, timeoutMsFrom } from "./program-file.js";

test("a data file keeps its name unless another is given", () => {
  expect(dataFileFrom("data/sales.csv")).toEqual({ local: "data/sales.csv", remote: "sales.csv" });
  expect(dataFileFrom("/tmp/a:b.csv:in/b.csv")).toEqual({ local: "/tmp/a:b.csv", remote: "in/b.csv" });
  expect(() => dataFileFrom("a.csv:")).toThrow("does not name a file");
});

test("the language is the one asked for, else that of the name", () => {
  expect(languageOf("a.py", undefined)).toBe(Language.PYTHON);
  expect(languageOf("a.txt", "Python")).toBe(Language.PYTHON);
  expect(() => languageOf("a.py", "cobol")).toThrow("--language cobol is not known");
});

test("a timeout is a positive number of seconds", () => {
  expect(timeoutMsFrom("1.5")).toBe(1500);
  for (const wrong of ["", "0", "-1", "x", "Infinity"]) {
    expect(() => timeoutMsFrom(wrong)).toThrow("is not a number of seconds");
  }
});
