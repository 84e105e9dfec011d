const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

/** What others wrote (names, reasons, messages), safe to show on one line: control characters become `·`. */
export const printable = (text: string): string => text.replace(CONTROL, "·")

/** `1 line`, `2 lines`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`
