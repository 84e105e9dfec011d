// Plain JavaScript without imports: a Node that is too old for the rest must be able to say so.
const needed = 24
const major = Number(process.versions.node.split(".")[0])

if (major < needed) {
  process.stderr.write(
    `fleet needs Node ${needed} or newer; this is ${process.versions.node}.\n` +
      "In the project's folder, after `npm ci`, use `npx fleet`: it brings its own Node. Else install Node 24: https://nodejs.org\n"
  )
  process.exit(1)
}
