import * as z from 'zod'

/** How every success is wrapped. */
export const data = <S extends z.ZodType>(schema: S) => z.object({ data: schema })
