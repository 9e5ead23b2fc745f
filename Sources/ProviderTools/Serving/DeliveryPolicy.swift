package import MailDelivery
import MailVocabulary
package import SubmissionServer

// From the configuration's words to the settings of those who take mail in.

extension DeliverySettings {
    package init(_ configuration: ServerConfiguration) {
        self.init()
        let policy = configuration.submissionPolicy
        postmaster = configuration.defaultDomain.map { Address(localPart: "postmaster", domain: $0) }
        separator = policy.detailSeparator?.first
        relaysElsewhere = configuration.relay.mode != .none
        spamMarks = configuration.filters.spamFields.compactMap { SpamMark($0) }
        keepsSentCopy = policy.keepsSentCopy
        hidesClient = policy.hidesClient
        repairs = [.from, .blankLine]
        if policy.addsDate { repairs.insert(.date) }
        if policy.addsMessageID { repairs.insert(.messageID) }
        if policy.addsSender { repairs.insert(.sender) }
        if policy.removesBcc { repairs.insert(.bcc) }
        rates = RateLimits(
            messagesPerHour: policy.messagesPerHour, messagesPerDay: policy.messagesPerDay,
            recipientsPerHour: policy.recipientsPerHour, recipientsPerDay: policy.recipientsPerDay)
    }
}

extension SubmissionSettings {
    package init(_ configuration: ServerConfiguration, role: SubmissionRole) {
        let policy = configuration.submissionPolicy
        self.init(
            role: role, maximumMessageSize: configuration.maximumMessageSize,
            maximumRecipients: policy.recipientsPerMessage)
        maximumHold = policy.longestHold.components.seconds
        minimumDeliverBy = policy.shortestDeliverBy.components.seconds
        maximumPriority = policy.highestPriority
    }
}
