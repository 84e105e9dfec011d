/** Tells the process that measures this one that it is at work. */
export const tellReady = (): void => void process.send?.("ready")
