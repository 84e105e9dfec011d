import { Result } from "effect"
import { type Answer, refuse } from "./AwsException.ts"
import { type ClusterRecord, clusterName, type Region } from "./World.ts"

/** The cluster that a call names (absent = `default`), or AWS's refusal. */
export const activeCluster = (region: Region, reference: string | undefined): Answer<ClusterRecord> => {
  const record = region.clusters.get(clusterName(reference))
  if (record === undefined) return refuse("ClusterNotFoundException", "Cluster not found.")
  return isActive(record)
    ? Result.succeed(record)
    : refuse("ClusterNotFoundException", "The referenced cluster was inactive.")
}

export const isActive = (record: ClusterRecord): boolean => record.cluster.status === "ACTIVE"
