#!/usr/bin/env node
// The command `fleet`. Node older than 22 cannot even load TypeScript, so this file and the check are plain JavaScript.
import "./nodeVersion.js"

const { run } = await import("./main.ts")
await run()
