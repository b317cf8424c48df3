/**
 * The 30 validation patients of the post "Brain image segmentation with torch":
 * `set.seed(777); sample(1:110, 30)` over the sorted folders.
 */
export const POST_VALID: readonly string[] = named(`
  CS_4941_19960909 CS_4942_19970222 CS_5397_20010315 CS_6186_20000601 CS_6188_20010812 CS_6665_20010817
  CS_6667_20011105 CS_6669_20020102 DU_5855_19951217 DU_5871_19941206 DU_5872_19950223 DU_5874_19950510
  DU_6399_19830416 DU_7010_19860307 DU_7019_19940908 DU_7298_19910324 DU_7306_19930512 DU_8167_19970402
  DU_A5TW_19980228 EZ_7264_20010816 FG_6691_20020405 FG_A60K_20040224 HT_7680_19970202 HT_7693_19950520
  HT_7855_19951020 HT_7874_19950902 HT_7884_19980913 HT_8018_19970411 HT_8107_19980708 HT_8111_19980330`);

/** The 10 validation patients of mateuszbuda/brain-segmentation-pytorch: `random.seed(42)`, `random.sample` of the sorted folders. */
export const BUDA_VALID: readonly string[] = named(`
  CS_4944_20010208 CS_6667_20011105 CS_6668_20011025 DU_5851_19950428 DU_6404_19850629 DU_6408_19860521
  DU_7014_19860618 HT_7616_19940813 HT_7692_19960724 HT_7879_19981009`);

function named(list: string): string[] {
  return list
    .trim()
    .split(/\s+/)
    .map((id) => `TCGA_${id}`);
}
