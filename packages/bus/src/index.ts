export { newApiKey, parseApiKey } from "./api-key.js";
export { type Bus, type BusLogger, type BusOptions, connectBus } from "./bus.js";
export type { ConsumeOptions, Consumption } from "./consumer.js";
export {
  type Bucket,
  Buckets,
  type Entry,
  type RecordChange,
  RecordExists,
  type RecordStore,
  type RecordWatch,
  RevisionConflict,
} from "./records.js";
export type { StreamName } from "./streams.js";
export { isTenant, sessionKey } from "./subjects.js";
