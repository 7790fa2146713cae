/** What `--device` asks for. */
export interface DeviceRequest {
  hostPath: string
  containerPath: string
  /** Any of `rwm`. */
  permissions: string
}
