import { expect, it } from "vitest";
import { addUp, closingLine } from "../../scripts/setup/test-summary.js";

const report = (passed: number, failed: number, skipped = 0, files: { status: string; assertionResults: { status: string }[] }[] = []) => ({
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: skipped,
  numTodoTests: 0,
  testResults: files,
});

it.each([
  ["all is well", report(12, 0), 0, [true, true], "14 passed, 0 failed"],
  ["tests fail", report(10, 2, 1), 1, [], "10 passed, 2 failed, 1 skipped"],
  ["a check fails", report(10, 0), 0, [true, false], "11 passed, 1 failed"],
  ["a test file cannot be loaded", report(10, 1, 0, [{ status: "failed", assertionResults: [] }, { status: "failed", assertionResults: [{ status: "failed" }] }]), 1, [], "10 passed, 2 failed"],
  ["vitest ends badly though every test passed", report(10, 0), 1, [], "10 passed, 1 failed"],
  ["vitest crashes", undefined, 1, [true], "1 passed, 1 failed"],
] as const)("the closing line is right when %s", (_when, results, exitCode, checks, line) => {
  expect(closingLine(addUp(results, exitCode, [...checks]))).toBe(line);
});
