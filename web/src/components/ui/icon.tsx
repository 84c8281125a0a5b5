const PATHS = {
  dashboard: <path d="M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z" />,
  datasets: (
    <>
      <ellipse cx="12" cy="6" rx="7" ry="3" />
      <path d="M5 6v12c0 1.7 3.1 3 7 3s7-1.3 7-3V6M5 12c0 1.7 3.1 3 7 3s7-1.3 7-3" />
    </>
  ),
  training: (
    <>
      <path d="M4 18l5-6 4 3 7-9" />
      <path d="M4 21h16" />
    </>
  ),
  compare: <path d="M5 4v16M19 4v16M5 9h6M13 15h6" />,
  models: (
    <>
      <path d="M12 3l8 4.5v9L12 21l-8-4.5v-9z" />
      <path d="M4 7.5l8 4.5 8-4.5M12 12v9" />
    </>
  ),
  export: <path d="M12 4v11M8 8l4-4 4 4M5 15v5h14v-5" />,
  chat: <path d="M4 5h16v11H9l-5 4z" />,
  tutorial: <path d="M3 6l9-3 9 3-9 3zM7 8v5c0 1.5 2.2 2.5 5 2.5s5-1 5-2.5V8" />,
  system: (
    <>
      <circle cx="12" cy="12" r="3" />
      <path d="M12 3v3M12 18v3M3 12h3M18 12h3M6 6l2 2M16 16l2 2M18 6l-2 2M6 18l2-2" />
    </>
  ),
  settings: <path d="M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4" />,
  more: <path d="M5 12h.01M12 12h.01M19 12h.01" strokeWidth="2.6" />,
  light: (
    <>
      <circle cx="12" cy="12" r="4" />
      <path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6L7 7M17 17l1.4 1.4M18.4 5.6L17 7M7 17l-1.4 1.4" />
    </>
  ),
  dark: <path d="M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5z" />,
  close: <path d="M6 6l12 12M18 6L6 18" />,
  copy: <path d="M9 9h10v11H9zM5 15V4h10" />,
  check: <path d="M5 12.5l4.5 4.5L19 7.5" />,
  circle: <circle cx="12" cy="12" r="7" />,
  down: <path d="M6 9l6 6 6-6" />,
  upload: <path d="M12 16V5M8 9l4-4 4 4M5 19h14" />,
  warning: <path d="M12 4l9 16H3zM12 10v4M12 17h.01" />,
} as const

export type IconName = keyof typeof PATHS

/** A line drawing in the colour of the text beside it; it never stands for a word alone. */
export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 24 24"
      width={size}
      height={size}
      className="flex-none fill-none stroke-current"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {PATHS[name]}
    </svg>
  )
}
