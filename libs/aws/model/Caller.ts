import { Context } from "effect"

/** Who makes the call that is being answered: the access key id that it was signed with; undefined = not told. */
export const Caller = Context.Reference<string | undefined>("aws/model/Caller", { defaultValue: () => undefined })
