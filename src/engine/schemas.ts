import { artifactSchema } from "../artifact/schema.ts"
import { auditSchema } from "../audit/schema.ts"
import { buildSchema } from "../build/solve/schema.ts"
import { workingSchema } from "../builder/schema.ts"
import { containerSchema } from "../container/schema.ts"
import { contentSchema } from "../content/schema.ts"
import { eventSchema } from "../event/schema.ts"
import { imageSchema } from "../image/schema.ts"
import { kubeSchema } from "../kube/objects/schema.ts"
import { manifestSchema } from "../manifest/schema.ts"
import { meterSchema } from "../meter/schema.ts"
import { networkSchema } from "../network/schema.ts"
import { podSchema } from "../pod/schema.ts"
import { sandboxSchema } from "../sandbox/schema.ts"
import { secretSchema } from "../secret/schema.ts"
import { snapshotSchema } from "../snapshot/schema.ts"
import { volumeSchema } from "../volume/schema.ts"

/** The tables of one store, each domain's its own. */
export const SCHEMAS = [
  contentSchema,
  snapshotSchema,
  imageSchema,
  networkSchema,
  volumeSchema,
  containerSchema,
  buildSchema,
  workingSchema,
  eventSchema,
  auditSchema,
  sandboxSchema,
  meterSchema,
  secretSchema,
  manifestSchema,
  artifactSchema,
  podSchema,
  kubeSchema,
]
