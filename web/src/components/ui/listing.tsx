/** Lines as a program writes them; they scroll, on phones long ones are continued below. */
export function Listing({ text, isShort = false }: { text: string; isShort?: boolean }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
    <pre tabIndex={0} className={`${LISTING} ${isShort ? "max-h-60" : "max-h-130"}`}>
      {text}
    </pre>
  )
}

const LISTING = "overflow-auto rounded-medium bg-sunk p-3 font-mono text-xs max-md:whitespace-pre-wrap"
