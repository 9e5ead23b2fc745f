import NIOCore

/// Runs tasks on an event loop's own thread. What waits for the store and computes little goes there and back without
/// waking a thread of the pool each way, which would cost more than the work.
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
