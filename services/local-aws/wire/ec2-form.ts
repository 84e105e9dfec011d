/**
 * EC2's form bodies: `Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1&VpcId.2=vpc-2` to the SDK's request shape. Members
 * that the served actions do not have are left out, as EC2 itself ignores them.
 */
export interface Ec2Input {
  readonly Filters?: ReadonlyArray<{ readonly Name: string; readonly Values: ReadonlyArray<string> }>
  readonly VpcIds?: ReadonlyArray<string>
  readonly SubnetIds?: ReadonlyArray<string>
  readonly GroupIds?: ReadonlyArray<string>
  readonly GroupNames?: ReadonlyArray<string>
  readonly MaxResults?: number
  readonly NextToken?: string
}

const lists = { VpcId: "VpcIds", SubnetId: "SubnetIds", GroupId: "GroupIds", GroupName: "GroupNames" } as const

/** Values of `<prefix>.1`, `<prefix>.2`, … in the order of their numbers. */
const numbered = (form: URLSearchParams, prefix: string): ReadonlyArray<string> =>
  [...form]
    .flatMap(([name, value]) => {
      const number = name.startsWith(`${prefix}.`) ? Number(name.slice(prefix.length + 1)) : Number.NaN
      return Number.isInteger(number) ? [{ number, value }] : []
    })
    .toSorted((a, b) => a.number - b.number)
    .map(({ value }) => value)

const filterNumbers = (form: URLSearchParams): ReadonlyArray<string> =>
  [...form.keys()].flatMap((name) => /^Filter\.(\d+)\.Name$/.exec(name)?.[1] ?? [])

const filters = (form: URLSearchParams) =>
  filterNumbers(form).map((number) => ({
    Name: form.get(`Filter.${number}.Name`) ?? "",
    Values: numbered(form, `Filter.${number}.Value`)
  }))

const integer = (text: string | null): number | undefined => (text === null ? undefined : Number(text))

export const ec2Input = (form: URLSearchParams): Ec2Input => {
  const named = Object.entries(lists).flatMap(([prefix, member]) => {
    const values = numbered(form, prefix)
    return values.length === 0 ? [] : [[member, values] as const]
  })
  const wanted = filters(form)
  const maxResults = integer(form.get("MaxResults"))
  const nextToken = form.get("NextToken")
  return {
    ...Object.fromEntries(named),
    ...(wanted.length === 0 ? {} : { Filters: wanted }),
    ...(maxResults === undefined ? {} : { MaxResults: maxResults }),
    ...(nextToken === null ? {} : { NextToken: nextToken })
  }
}
