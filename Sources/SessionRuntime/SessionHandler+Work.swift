import NIOCore
import WireFraming

extension SessionHandler where Session: ~Copyable {
    /// Runs asynchronous work; input waits until its outcome is back on the loop.
    func start(_ work: Session.Work, _ context: ChannelHandlerContext) {
        wait(.work, context)
        deadline = .distantFuture
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let loop = context.eventLoop
        let service = service
        guard let changes else { return }
        running.enter()
        let executor = service.isBrief(work) ? LoopExecutor(loop) : nil
        self.work = Task(executorPreference: executor) { [running] in
            defer { running.leave() }
            let outcome = await service.perform(work, notify: { changes.notify() })
            if loop.inEventLoop {
                bound.value.finished(outcome)
            } else {
                loop.execute { bound.value.finished(outcome) }
            }
        }
    }

    private func finished(_ outcome: Session.Outcome) {
        work = nil
        guard waiting == .work, let context else { return }
        let step = session.completed(outcome, &output)
        drive(step, context)
    }

    func observeChanges(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound(WeakHandler(handler: self), eventLoop: context.eventLoop)
        changes = PendingChange(loop: context.eventLoop) { bound.value.handler?.changeArrived() }
    }

    /// A change that comes while the session is busy waits until it waits for input; one that comes while the socket
    /// takes nothing, until it does: what is told to a client that does not read must not pile up.
    func changeArrived() {
        guard waiting == .input, let context, context.channel.isWritable, changes?.take() == true else { return }
        notified(context)
    }

    func notified(_ context: ChannelHandlerContext) {
        waiting = .work
        let step = session.changed(&output)
        drive(step, context)
    }
}
