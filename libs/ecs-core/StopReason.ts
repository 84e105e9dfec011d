/**
 * The codes with which our StopTask calls begin their reason. ECS hands the reason back as `stoppedReason`, so that
 * the outcome can be read from the task alone, by any replica, after any crash.
 */
export const StopCodes = {
  cancelled: "fleet:cancelled",
  provisioningTimeout: "fleet:provisioning-timeout",
  startTimeout: "fleet:start-timeout",
  runTimeout: "fleet:run-timeout",
  containerExited: "fleet:container-exited"
} as const
export type StopCode = (typeof StopCodes)[keyof typeof StopCodes]

/** StopTask's reason is cut by ECS at 1024 characters; ours stay well below. */
export const STOP_REASON_MAX = 255

export const stopReason = (code: StopCode, detail?: string): string =>
  (detail === undefined || detail === "" ? code : `${code}: ${detail}`).slice(0, STOP_REASON_MAX)

/** Our code in a `stoppedReason`, and the words behind it. */
export const parseStopReason = (
  stoppedReason: string | undefined
): { readonly code: StopCode; readonly detail: string } | undefined => {
  const code = Object.values(StopCodes).find((known) => stoppedReason?.startsWith(known) === true)
  return code === undefined ? undefined : { code, detail: (stoppedReason ?? "").slice(code.length).replace(/^: /, "") }
}
