import { browsing } from './browsing.ts'
import type { Step } from './cast.ts'
import { downloading } from './downloading.ts'
import { operating } from './operating.ts'
import { webhooks } from './webhooks.ts'

/** What MediaNest is for, one step after the other. Each step checks what it claims. */
export const story: readonly Step[] = [...browsing, ...downloading, ...webhooks, ...operating]
