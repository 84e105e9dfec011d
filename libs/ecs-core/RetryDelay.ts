/** How long a message waits after a passing failure: 1 s, doubling with each delivery up to `maxSeconds`. */
export const retryDelayMillis = (deliveries: number, maxSeconds: number): number =>
  Math.min(1000 * 2 ** Math.min(deliveries - 1, 20), maxSeconds * 1000)
