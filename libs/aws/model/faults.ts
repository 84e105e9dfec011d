import { Effect } from "effect"
import type { AwsException } from "./AwsException.ts"
import type { Fault } from "./Fault.ts"
import type { FaultBook } from "./FaultBook.ts"
import type { Operation } from "./Operations.ts"
import { clusterName } from "./World.ts"

const meets = (fault: Fault, action: string, cluster: string | undefined): boolean =>
  fault.action === action && (fault.cluster === undefined || clusterName(fault.cluster) === clusterName(cluster))

const isOfCall = (fault: Fault): boolean => fault.error !== undefined || fault.reset !== undefined

/** The fault of a new launch, in one of its parts `failures`, `stop` and `hold`; a replay of a token uses up none. */
export const takeLaunchFault = (book: FaultBook, cluster: string | undefined): Fault | undefined =>
  book.take((fault) => !isOfCall(fault) && meets(fault, "RunTask", cluster))

/** The same operation, except that faults with `error` and `reset` happen to it. */
export const spoilt =
  <Input, Output>(book: FaultBook, action: string, operation: Operation<Input, Output>): Operation<Input, Output> =>
  (region, input) =>
    Effect.suspend(() => {
      const fault = book.take((each) => isOfCall(each) && meets(each, action, clusterOf(input)))
      if (fault?.error !== undefined) return Effect.fail(exceptionOf(fault.error))
      if (fault?.reset === "before") return Effect.fail(lostConnection)
      const done = operation(region, input)
      return fault?.reset === "after" ? Effect.andThen(Effect.exit(done), Effect.fail(lostConnection)) : done
    })

/** All operations of a service, each `spoilt`. */
export const allSpoilt = <Operations extends object>(book: FaultBook, operations: Operations): Operations =>
  Object.fromEntries(
    Object.entries(operations).map(([action, operation]) => [action, spoilt(book, action, operation)])
  ) as Operations

const clusterOf = (input: unknown): string | undefined => {
  const cluster: unknown = typeof input === "object" && input !== null ? Reflect.get(input, "cluster") : undefined
  return typeof cluster === "string" ? cluster : undefined
}

const exceptionOf = ({ name, message, status, resourceIds }: NonNullable<Fault["error"]>): AwsException => ({
  __type: name,
  message,
  ...(resourceIds === undefined ? {} : { resourceIds }),
  ...(status === undefined ? {} : { $metadata: { httpStatusCode: status } })
})

/** As the SDK shows a reset connection. */
const lostConnection: AwsException = { __type: "TimeoutError", message: "read ECONNRESET", code: "ECONNRESET" }
