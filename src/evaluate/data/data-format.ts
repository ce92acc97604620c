/** JSON lines, and LogHub's raw logs by system. */
export const dataFormats = ["jsonl", "hdfs", "bgl", "thunderbird", "liberty", "spirit", "hadoop"] as const;
export type DataFormat = (typeof dataFormats)[number];
