/**
 * Adds up vitest's JSON report and the checks around it. A test file that could not even be loaded holds no test that
 * failed, and counts as one; so does a run that ended badly for another reason (an unhandled error, a crash).
 * @param {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number, testResults: { status: string, assertionResults: { status: string }[] }[] } | undefined} results
 * @param {number} exitCode vitest's
 * @param {boolean[]} checks
 */
export function addUp(results, exitCode, checks) {
  const broken = (results?.testResults ?? []).filter((file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed")).length;
  const passed = (results?.numPassedTests ?? 0) + checks.filter(Boolean).length;
  let failed = (results?.numFailedTests ?? 0) + broken;
  if (exitCode !== 0 && failed === 0) failed = 1;
  failed += checks.filter((ok) => !ok).length;
  return { passed, failed, skipped: (results?.numPendingTests ?? 0) + (results?.numTodoTests ?? 0) };
}

/** @param {{ passed: number, failed: number, skipped: number }} sum */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
