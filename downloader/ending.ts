/** Why a job is ended from outside; `dropped` ones are not spoken of again. */
export const endReasons = ['cancelled', 'dropped', 'returned'] as const
export type EndReason = (typeof endReasons)[number]

/** Whether nobody will go on with what the job has fetched. */
export const isForGood = ({ reason }: AbortSignal): boolean => reason === 'cancelled' || reason === 'dropped'
