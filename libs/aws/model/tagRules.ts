import type { Tag } from "@aws-sdk/client-ecs"
import { type AwsException, invalid } from "./AwsException.ts"

/** Limits of tags (ECS developer guide). */
export const maxTags = 50
export const maxTagKeyLength = 128
export const maxTagValueLength = 256

/** What AWS would refuse in the tags of a resource. */
export const refuseTags = (tags: ReadonlyArray<Tag> = []): AwsException | undefined => {
  if (tags.length > maxTags) return invalid(`Tags can not have more than ${maxTags} elements.`)
  const keys = tags.map(({ key }) => key)
  if (new Set(keys).size < keys.length)
    return invalid("Duplicate tag keys found. Please note that Tag keys are case sensitive.")
  const bad = tags.find((tag) => !isTag(tag))
  return bad === undefined ? undefined : invalid(`Invalid tag '${bad.key ?? ""}'.`)
}

const isTag = ({ key, value = "" }: Tag): boolean =>
  key !== undefined &&
  key !== "" &&
  key.length <= maxTagKeyLength &&
  value.length <= maxTagValueLength &&
  !/^aws:/i.test(key) &&
  allowed.test(key) &&
  allowed.test(value)

/** Letters, numbers and spaces of any script, and `+ - = . _ : / @`. */
const allowed = /^[\p{L}\p{N}\p{Z}+\-=._:/@]*$/u
