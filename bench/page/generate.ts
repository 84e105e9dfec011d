import { writePage } from "./page.ts"

/** Writes docs/performance.md and its pictures anew from bench/results, into the folder given or in place. */
writePage(process.argv[2])
