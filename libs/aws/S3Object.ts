import { Effect, Schema } from "effect"
import { classify } from "./AwsError.ts"

/** An object in a bucket of S3. */
export interface S3Place {
  readonly bucket: string
  readonly key: string
}

export const s3Url = ({ bucket, key }: S3Place): string => `s3://${bucket}/${key}`

/** The place that `s3://bucket/key` names; undefined for any other text. */
export const parseS3Url = (url: string): S3Place | undefined => {
  const [, bucket, key] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+)$/u.exec(url) ?? []
  return bucket === undefined || key === undefined ? undefined : { bucket, key }
}

/** The object cannot be had; `message` says why, `advice` what to do. */
export class S3Unreadable extends Schema.TaggedError<S3Unreadable>()("S3Unreadable", {
  message: Schema.String,
  advice: Schema.String
}) {}

export interface S3Reading {
  readonly etag: string
  readonly text: string
}

export interface S3ReadOptions {
  readonly region?: string | undefined
  /** What was read before: if it is still that, nothing is sent. */
  readonly etag?: string | undefined
  readonly bytesMax: number
}

/** A call without an answer, and a connection that does not open, are given up after so long. */
const REQUEST_TIMEOUT_SECONDS = 15
const CONNECTION_TIMEOUT_SECONDS = 3

/** One of several tries of a read, which changes nothing, is left to the SDK. */
const TRIES = 3

/** Loaded by the first who has something in S3: the client is as large as a service. */
const sdk = () => import("@aws-sdk/client-s3")

/**
 * One GetObject, with the credentials and the endpoint that the SDK finds; undefined = it is what `etag` says still. A
 * bucket of another region is followed there. Endpoints of one's own are addressed by path, as stand-ins for S3 want it.
 */
export const readS3Object = (
  place: S3Place,
  { region, etag, bytesMax }: S3ReadOptions
): Effect.Effect<S3Reading | undefined, S3Unreadable> =>
  Effect.tryPromise({
    try: async () => {
      const { GetObjectCommand, S3Client } = await sdk()
      const own = process.env["AWS_ENDPOINT_URL_S3"] ?? process.env["AWS_ENDPOINT_URL"] ?? ""
      const client = new S3Client({
        ...(region === undefined ? {} : { region }),
        forcePathStyle: own !== "",
        followRegionRedirects: true,
        maxAttempts: TRIES,
        requestHandler: {
          requestTimeout: REQUEST_TIMEOUT_SECONDS * 1000,
          throwOnRequestTimeout: true,
          connectionTimeout: CONNECTION_TIMEOUT_SECONDS * 1000
        }
      })
      try {
        const input = { Bucket: place.bucket, Key: place.key, ...(etag === undefined ? {} : { IfNoneMatch: etag }) }
        const answer = await client.send(new GetObjectCommand(input))
        if ((answer.ContentLength ?? 0) > bytesMax) throw tooLarge(place, bytesMax)
        return { etag: answer.ETag ?? "", text: (await answer.Body?.transformToString()) ?? "" }
      } finally {
        client.destroy()
      }
    },
    catch: (error) => error
  }).pipe(Effect.catch((error) => (statusOf(error) === 304 ? Effect.undefined : Effect.fail(unreadable(place, error)))))

const statusOf = (error: unknown): unknown => {
  const metadata = typeof error === "object" && error !== null ? Reflect.get(error, "$metadata") : undefined
  return typeof metadata === "object" && metadata !== null ? Reflect.get(metadata, "httpStatusCode") : undefined
}

const tooLarge = (place: S3Place, bytesMax: number): S3Unreadable =>
  new S3Unreadable({ message: `${s3Url(place)} has more than ${bytesMax} bytes`, advice: "Make it smaller." })

const unreadable = (place: S3Place, error: unknown): S3Unreadable => {
  if (error instanceof S3Unreadable) return error
  const name = error instanceof Error ? error.name : ""
  const url = s3Url(place)
  if (name === "NoSuchKey") {
    return new S3Unreadable({ message: `${url} does not exist`, advice: "Put the file there, or correct the key." })
  }
  if (name === "NoSuchBucket") {
    return new S3Unreadable({ message: `the bucket of ${url} does not exist`, advice: "Correct the bucket's name." })
  }
  if (statusOf(error) === 403) {
    const advice = "Allow s3:GetObject on it (and s3:ListBucket, or a missing object looks like this)."
    return new S3Unreadable({ message: `S3 refuses to give ${url} (${name})`, advice })
  }
  const { message, advice } = classify("GetObject", error)
  return new S3Unreadable({ message: `${url}: ${message}`, advice })
}
