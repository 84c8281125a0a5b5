type Key = Pick<KeyboardEvent, "key" | "shiftKey" | "isComposing" | "keyCode">

const COMPOSING = 229 // what Safari says of the Enter that ends a composition, when isComposing is false already

/** Tells whether a key says that a text is finished: Enter, unless it chooses a word of an input method or begins a new line. */
export function isEnter({ key, shiftKey, isComposing, keyCode }: Key): boolean {
  return key === "Enter" && !shiftKey && !isComposing && keyCode !== COMPOSING
}
