/** Whether a subject is one of a filter's: `*` stands for one token, a final `>` for one or more. */
export const subjectMatches = (filter: string, subject: string): boolean => {
  if (filter === subject || filter === ">") return true
  const wanted = filter.split(".")
  const tokens = subject.split(".")
  for (const [i, token] of wanted.entries()) {
    if (token === ">") return tokens.length > i
    if (i >= tokens.length || (token !== "*" && token !== tokens[i])) return false
  }
  return wanted.length === tokens.length
}
