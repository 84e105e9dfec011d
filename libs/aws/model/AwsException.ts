import { Result } from "effect"

/**
 * An error as AWS answers it: the name of the exception, its text, and members that some exceptions carry. The wire
 * server writes it as the body of an HTTP error, the memory layers hand it to the classification table.
 */
export interface AwsException {
  readonly __type: string
  readonly message: string
  /** `ConflictException`: ARNs of the tasks that the client token already started. */
  readonly resourceIds?: ReadonlyArray<string>
  /** The connection ended without an answer: nothing is answered, and a client finds out by itself, as the SDK does. */
  readonly code?: "ECONNRESET"
  /** Where the HTTP status is not the one that follows from the name; as the SDK shows it. */
  readonly $metadata?: { readonly httpStatusCode: number }
}

/** What a function of the model returns: the answer, or the error that AWS would give. */
export type Answer<A> = Result.Result<A, AwsException>

export const refuse = (__type: string, message: string): Result.Result<never, AwsException> =>
  Result.fail({ __type, message })

/** The caller's parameter is wrong. */
export const invalid = (message: string): AwsException => ({ __type: "InvalidParameterException", message })

/** The caller's request is wrong, for reasons that have no exception of their own. */
export const client = (message: string): AwsException => ({ __type: "ClientException", message })

/** The first problem that a check finds, or undefined. */
export const firstProblem = (checks: ReadonlyArray<() => AwsException | undefined>): AwsException | undefined => {
  for (const check of checks) {
    const problem = check()
    if (problem !== undefined) return problem
  }
  return undefined
}
