import { Context } from "effect"
import type { PageFault } from "./Fault.ts"

/** What is wrong with the page that is being read, if anything. Set by a fault around one call. */
export const Paging: Context.Reference<PageFault> = Context.Reference("aws/model/Paging", { defaultValue: () => ({}) })
