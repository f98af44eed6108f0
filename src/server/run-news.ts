/** Wakes those who wait for the next news of a run. */
export class RunNews {
  private readonly waiting = new Map<string, PromiseWithResolvers<void>>();

  tell(run: string): void {
    const news = this.waiting.get(run);
    this.waiting.delete(run);
    news?.resolve();
  }

  tellAll(): void {
    for (const run of [...this.waiting.keys()]) this.tell(run);
  }

  /** Fulfilled at the next news of a run. */
  next(run: string): Promise<void> {
    let news = this.waiting.get(run);
    if (news === undefined) {
      news = Promise.withResolvers();
      this.waiting.set(run, news);
    }
    return news.promise;
  }
}
