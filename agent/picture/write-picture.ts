/**
 * A picture of a situation as the text of a file.
 *
 * @module
 */
import { pictureHtml } from './html.ts'
import { type PictureAbout, type Pictured, pictureReport } from './report.ts'
import { pictureSvg } from './svg.ts'

export type PictureFormat = 'svg' | 'html'

/**
 * The whole file. Pure: it holds no key, refers to nothing outside, and lets no text of a rule become markup.
 *
 * @param situation what is loaded (`loadedSituation`), or a configuration that is not (`proposedSituation`)
 */
export function writePicture(situation: Pictured, about: PictureAbout, format: PictureFormat): string {
  const report = pictureReport(situation, about)
  return format === 'svg' ? pictureSvg(report) : pictureHtml(report)
}
