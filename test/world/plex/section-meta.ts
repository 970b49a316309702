import type { Section } from './catalogue.ts'
import type { Row } from './row.ts'

const sorts = [
  ['titleSort', 'Title', 'asc'],
  ['year', 'Year', 'desc'],
  ['originallyAvailableAt', 'Release Date', 'desc'],
  ['rating', 'Critic Rating', 'desc'],
  ['duration', 'Duration', 'desc'],
  ['addedAt', 'Date Added', 'desc'],
  ['lastViewedAt', 'Date Viewed', 'desc'],
] as const

const filters = [
  ['genre', 'Genre', 'string'],
  ['year', 'Year', 'integer'],
  ['resolution', 'Resolution', 'string'],
  ['unwatched', 'Unplayed', 'boolean'],
] as const

/** The catalogue of sorts and filters a section offers. */
export function sectionMeta(section: Section): Row {
  const base = `/library/sections/${section.key}`
  return {
    Type: [
      {
        key: `${base}/all?type=${section.type === 'movie' ? 1 : 2}`,
        type: section.type,
        title: section.title,
        active: true,
        Filter: filters.map(([filter, title, filterType]) => ({
          filter,
          filterType,
          key: `${base}/${filter}`,
          title,
          type: 'filter',
        })),
        Sort: sorts.map(([key, title, defaultDirection]) => ({
          defaultDirection,
          descKey: `${key}:desc`,
          key,
          title,
        })),
        Field: [{ key: `${section.type}.title`, title: 'Title', type: 'string' }],
      },
    ],
  }
}
