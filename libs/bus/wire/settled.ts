/** Resolves when the promise has settled, however it did, or when the time is over. Never rejects. */
export const settledWithin = async (promise: Promise<unknown>, millis: number): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, millis)
  })
  await Promise.race([promise.catch(() => {}), timeout])
  clearTimeout(timer)
}
