/** JSON of the size that each message and record of a run has where the fleet carries out the producer's requests. */

const json = (bytes: number): string => {
  const frame = JSON.stringify({ v: 1, filler: "" }).length
  return JSON.stringify({ v: 1, filler: "x".repeat(Math.max(0, bytes - frame)) })
}

export const records = {
  defining: json(420),
  launching: json(1140),
  provisioning: json(1470),
  stopping: json(1960),
  succeeded: json(2240)
} as const

export const live = json(45)
export const taskdefReady = json(1120)
export const taskLaunching = json(130)
export const taskStarted = json(800)
export const taskChanged = json(520)
export const taskStopped = json(690)
export const runFinished = json(310)
export const logsBatch = json(350)
export const logsEnd = JSON.stringify({ v: 1, end: JSON.parse(json(210)) })
