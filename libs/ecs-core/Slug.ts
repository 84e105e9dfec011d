/** Family names: letters, digits, `-` and `_`, at most 255 (RegisterTaskDefinition). Peers compute this and drop it. */
export const slugFamily = (name: string): string => slug(name, /[^a-zA-Z0-9_-]+/g).slice(0, 255) || "fleet"

/** Prefect's rule for labels that become tags: other characters than `[a-zA-Z0-9_./=+:@-]` turn into one dash. */
export const slugTag = (text: string): string => slug(text, /[^a-zA-Z0-9_./=+:@-]+/g)

const slug = (text: string, others: RegExp): string =>
  text
    .replace(others, "-")
    .replace(/-{2,}/g, "-")
    .replace(/^-+|-+$/g, "")
