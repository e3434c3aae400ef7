// The package has no declarations: what the plugins of bundlers call.
declare module 'react-refresh/runtime' {
  export function injectIntoGlobalHook(global: object): void
  /** Says that `component` is what the module with this id has now. */
  export function register(component: object, id: string): void
  /** Says which hooks `component` calls: as long as they are the same, its state is kept. */
  export function setSignature(component: object, key: string): void
  export function performReactRefresh(): void
}
