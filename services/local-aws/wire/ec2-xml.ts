/**
 * EC2's XML. Answers are the SDK's shapes (`{ Vpcs: [{ VpcId }] }`); on the wire names begin in lower case
 * (`<vpcId>`), lists are `<x><item>…</item></x>`, and some have names of their own.
 */
const wireNames: Readonly<Record<string, string>> = {
  Vpcs: "vpcSet",
  Subnets: "subnetSet",
  SecurityGroups: "securityGroupInfo",
  Tags: "tagSet",
  Description: "groupDescription",
  UserIdGroupPairs: "groups"
}

const wireName = (name: string): string => wireNames[name] ?? name.charAt(0).toLowerCase() + name.slice(1)

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;"
}

export const escapeXml = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character] ?? "")

const element = (name: string, value: unknown): string => {
  if (value === undefined || value === null) return ""
  const content = contentOf(value)
  return content === "" ? `<${name}/>` : `<${name}>${content}</${name}>`
}

const contentOf = (value: unknown): string => {
  if (Array.isArray(value)) return value.map((item: unknown) => element("item", item)).join("")
  if (value instanceof Date) return value.toISOString()
  if (typeof value === "object" && value !== null) return membersOf(value)
  return escapeXml(String(value))
}

const membersOf = (value: object): string =>
  Object.entries(value)
    .map(([name, member]) => element(wireName(name), member))
    .join("")

const document = (xml: string): string => `<?xml version="1.0" encoding="UTF-8"?>\n${xml}`

/** `<DescribeVpcsResponse>…`; an empty list stays as an empty element, because a missing one is no list at all. */
export const ec2Answer = (action: string, answer: object, requestId: string): string =>
  document(
    `<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">` +
      `<requestId>${requestId}</requestId>${membersOf(answer)}</${action}Response>`
  )

export const ec2Error = (code: string, message: string, requestId: string): string =>
  document(
    `<Response><Errors><Error><Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message></Error></Errors>` +
      `<RequestID>${requestId}</RequestID></Response>`
  )

/** STS and IAM speak the older query protocol: names as in the SDK, the answer wrapped twice. */
export const queryAnswer = (action: string, answer: object, requestId: string): string =>
  document(
    `<${action}Response>` +
      `<${action}Result>${queryMembers(answer)}</${action}Result>` +
      `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${action}Response>`
  )

const queryMembers = (answer: object): string =>
  Object.entries(answer)
    .map(([name, value]: [string, unknown]) => {
      const content = typeof value === "object" && value !== null ? queryMembers(value) : escapeXml(String(value))
      return `<${name}>${content}</${name}>`
    })
    .join("")

export const queryError = (code: string, message: string, requestId: string): string =>
  document(
    `<ErrorResponse><Error><Type>Sender</Type><Code>${escapeXml(code)}</Code>` +
      `<Message>${escapeXml(message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`
  )
