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
}

/** What a function of the model returns: the answer, or the error that AWS would give. */
export type Answer<A> = Result.Result<A, AwsException>

export const refuse = (__type: string, message: string): Result.Result<never, AwsException> =>
  Result.fail({ __type, message })
