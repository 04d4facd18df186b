import { type Refusal, SessionState, type Violation } from "@codemesh/api";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Page, type PageOrder, pageOf, pageOrder } from "./page.js";

const id = (number: number) => `01K${String(number).padStart(23, "0")}`;
const ready = () => SessionState.READY;

function ordered(pageSize: number, pageToken = "", states: SessionState[] = []): PageOrder {
  return pageOrder({ pageSize, pageToken, states });
}

function violations(request: Parameters<typeof pageOrder>[0]): readonly Violation[] {
  try {
    pageOrder(request);
    return [];
  } catch (error) {
    return (error as Refusal).violations;
  }
}

test("shows every session once and in order, page by page", () => {
  fc.assert(
    fc.property(fc.nat(60), fc.integer({ min: 1, max: 20 }), (count, size) => {
      const ids = Array.from({ length: count }, (_, index) => id(index));
      const shown: string[] = [];
      let page: Page = { ids: [], nextToken: "" };
      do {
        page = pageOf(ids, ordered(size, page.nextToken), ready);
        shown.push(...page.ids);
      } while (page.nextToken !== "");
      expect(shown).toEqual(ids);
    }),
  );
});

test("neither repeats nor leaves out a session that stays while others come and go", () => {
  const first = pageOf([id(1), id(3), id(5), id(7)], ordered(2), ready);
  const second = pageOf([id(3), id(4), id(5), id(7), id(8)], ordered(2, first.nextToken), ready);
  expect([...first.ids, ...second.ids]).toEqual([id(1), id(3), id(4), id(5)]);
});

test("goes on after a session that is gone", () => {
  const { nextToken } = pageOf([id(1), id(2), id(3)], ordered(2), ready);
  expect(pageOf([id(3)], ordered(2, nextToken), ready)).toEqual({ ids: [id(3)], nextToken: "" });
});

test("has no next page when only sessions of other states follow", () => {
  const states = [SessionState.READY];
  const stateOf = (one: string) => (one === id(1) ? SessionState.READY : SessionState.TERMINATED);
  expect(pageOf([id(1), id(2), id(3)], ordered(1, "", states), stateOf)).toEqual({ ids: [id(1)], nextToken: "" });
});

test("takes 0 for 50 and more than 1,000 for 1,000", () => {
  expect([ordered(0).size, ordered(1_001).size, ordered(7).size]).toEqual([50, 1_000, 7]);
});

test("takes the token of one filter for no other", () => {
  const { nextToken } = pageOf([id(1), id(2)], ordered(1), ready);
  expect(violations({ pageSize: 1, pageToken: nextToken, states: [SessionState.READY] })).toMatchObject([
    { field: "page_token", reason: "PAGE_TOKEN_INVALID" },
  ]);
});

test("names everything that is wrong at once", () => {
  expect(violations({ pageSize: -1, pageToken: "no token", states: [99 as SessionState] })).toMatchObject([
    { field: "page_size", reason: "PAGE_SIZE_NEGATIVE" },
    { field: "states", reason: "STATES_INVALID" },
    { field: "page_token", reason: "PAGE_TOKEN_INVALID" },
  ]);
});

test("takes no text for a token that it did not make", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (pageToken) => {
      expect(violations({ pageSize: 1, pageToken, states: [] })).toHaveLength(1);
    }),
  );
});
