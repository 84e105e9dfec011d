import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { ec2Input } from "./ec2-form.ts"
import { decodeJson, encodeJson } from "./json.ts"

describe("EC2 forms", () => {
  it.each([
    { form: "Action=DescribeVpcs&Version=2016-11-15", input: {} },
    { form: "VpcId.1=vpc-1&VpcId.2=vpc-2", input: { VpcIds: ["vpc-1", "vpc-2"] } },
    { form: "SubnetId.2=b&SubnetId.10=c&SubnetId.1=a", input: { SubnetIds: ["a", "b", "c"] } },
    {
      form: "Filter.1.Name=vpc-id&Filter.1.Value.1=a&Filter.1.Value.2=b&Filter.2.Name=is-default&Filter.2.Value.1=true",
      input: {
        Filters: [
          { Name: "vpc-id", Values: ["a", "b"] },
          { Name: "is-default", Values: ["true"] }
        ]
      }
    },
    { form: "MaxResults=5&NextToken=abc%3D", input: { MaxResults: 5, NextToken: "abc=" } },
    { form: "GroupName.1=default&GroupId.1=sg-1", input: { GroupIds: ["sg-1"], GroupNames: ["default"] } }
  ])("$form", ({ form, input }) => {
    assert.deepStrictEqual(ec2Input(new URLSearchParams(form)), input)
  })
})

describe("JSON 1.1", () => {
  it.each([
    { body: "", value: {} },
    { body: '{"a":1,"b":null}', value: { a: 1 } }
  ])("takes '$body'", ({ body, value }) => {
    assert.deepStrictEqual(decodeJson(body), Result.succeed(value))
  })

  it.each(["{", "[]", "1", "null"])("refuses '%s'", (body) => {
    const refused = decodeJson(body)
    assert.isTrue(Result.isFailure(refused) && refused.failure.__type === "SerializationException")
  })

  it.each([
    { value: {}, text: "{}" },
    { value: { at: new Date(0), list: [new Date(1)], text: "x" }, text: '{"at":0,"list":[0.001],"text":"x"}' }
  ])("writes $text", ({ value, text }) => {
    assert.strictEqual(encodeJson(value), text)
  })
})
