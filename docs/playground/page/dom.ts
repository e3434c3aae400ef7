// The little that the page needs to build elements.

/** An element with these properties and children. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = Object.assign(document.createElement(tag), properties)
  made.append(...children)
  return made
}

/** The element with this id. @throws Error if there is none. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (!found) throw new Error(`the page has no #${id}`)
  return found
}

/** A copy of the template with this id. */
export const copyOf = (id: string): DocumentFragment => (byId(id) as HTMLTemplateElement).content.cloneNode(true) as DocumentFragment

/** The element that a template calls by this name, if it is of this class. @throws Error if there is none. */
export function part(root: ParentNode, name: string): HTMLElement
export function part<E extends HTMLElement>(root: ParentNode, name: string, kind: new () => E): E
export function part(root: ParentNode, name: string, kind: new () => HTMLElement = HTMLElement): HTMLElement {
  const found = root.querySelector(`[data-part="${name}"]`)
  if (!(found instanceof kind)) throw new Error(`there is no part ${name}`)
  return found
}

/** Puts the newest entry first, and keeps no more than so many. */
export function prependTo(list: HTMLElement, entry: HTMLElement, most: number): void {
  list.prepend(entry)
  while (list.childElementCount > most) list.lastElementChild?.remove()
}
