declare module 'parse-prometheus-text-format' {
  /** Families of samples, as plain data. */
  export default function parsePrometheusTextFormat(text: string): unknown
}
