import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "services/*/src/**/*.test.ts", "runtimes/*/src/**/*.test.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "mesh",
          include: ["test/**/*.test.ts"],
          globalSetup: ["test/mesh/global-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          // The tests share one mesh on one machine; side by side they would measure each other.
          fileParallelism: false,
        },
      },
    ],
  },
});
