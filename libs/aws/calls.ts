import { Effect } from "effect"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { DEFAULT_SET } from "./credentials/CredentialSet.ts"
import { measured } from "./measured.ts"
import { Caller } from "./model/Caller.ts"
import type { Operation } from "./model/Operations.ts"
import type { AwsTarget } from "./Target.ts"

/** One operation of AWS as a port uses it; its errors are as they come, and still to be classified. */
export type Call<Input, Output> = (target: AwsTarget, input: Input) => Effect.Effect<Output, unknown>

/** Makes calls over an SDK client: interrupting one aborts its request. Each is measured under the action's name. */
export const sender =
  <Client>(clientOf: (target: AwsTarget) => Effect.Effect<Client, AwsFailure>) =>
  <Input, Output>(
    action: string,
    send: (client: Client, input: Input, options: { readonly abortSignal: AbortSignal }) => Promise<Output>,
    refusal: (output: Output) => AwsFailure | undefined = () => undefined
  ): Call<Input, Output> =>
  (target, input) =>
    Effect.flatMap(clientOf(target), (client) =>
      Effect.tryPromise({ try: (abortSignal) => send(client, input, { abortSignal }), catch: (error) => error }).pipe(
        measured(action, refusal)
      )
    )

/** The model's region where a target names none. */
export const regionOfModel = (target: AwsTarget): string => target.region ?? "us-east-1"

/** Makes calls to the model, where the name of a set of credentials stands for its access key id. */
export const modelCall =
  <Input, Output>(operation: Operation<Input, Output>): Call<Input, Output> =>
  (target, input) =>
    Effect.provideService(operation(regionOfModel(target), input), Caller, target.credentials ?? DEFAULT_SET)
