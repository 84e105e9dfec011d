import { assert, describe, it } from "@effect/vitest"
import { errorCodes, errorGuide, findErrorCode } from "#ecs-core/ErrorGuide.ts"
import { ErrorCode } from "#ecs-core/errors.ts"
import { RunRequest } from "#ecs-core/RunRequest.ts"

const guides = Object.entries(errorGuide).map(([code, guide]) => ({ code, ...guide }))
const sentence = /[.?]$/

/** Words in backticks. */
const quoted = (text: string): ReadonlyArray<string> => [...text.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word)

/** Words of AWS's own, or of parts of a field. */
const notOurs = new Set(["assignPublicIp"])

describe("errorGuide", () => {
  it("has a guide for every code, and for nothing else", () => {
    assert.deepStrictEqual(errorCodes, [...ErrorCode.literals].toSorted())
  })

  it.each(guides)("$code: a title without a full stop, then whole sentences", ({ title, cause, cure, retried }) => {
    assert.notMatch(title, sentence)
    assert.isAtMost(title.length, 60)
    assert.isNotEmpty(cure)
    for (const text of [cause, retried, ...cure]) assert.match(text, sentence)
  })

  it.each(guides)("$code: names only fields that a request has", ({ cause, cure, retried }) => {
    const fields = [cause, retried, ...cure].flatMap(quoted).filter((word) => /^[a-z]+[A-Z][A-Za-z]*$/.test(word))
    const unknown = fields.filter((field) => !notOurs.has(field) && !Object.hasOwn(RunRequest.fields, field))
    assert.deepStrictEqual(unknown, [])
  })
})

describe("findErrorCode", () => {
  it.each([
    ["ClusterNotFound", "ClusterNotFound"],
    ["clusternotfound", "ClusterNotFound"],
    ["CLUSTERNOTFOUND", "ClusterNotFound"],
    ["ClusterNotFoun", undefined],
    ["toString", undefined],
    ["", undefined]
  ])("%s -> %s", (name, expected) => {
    assert.strictEqual(findErrorCode(name), expected)
  })
})
