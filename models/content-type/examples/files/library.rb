require "date"

module Library
  class Loan
    attr_reader :title, :due

    def initialize(title, due)
      @title = title
      @due = due
    end

    def overdue?(today = Date.today)
      due < today
    end
  end

  def self.reminders(loans)
    loans.select(&:overdue?).sort_by(&:due).map do |loan|
      "#{loan.title} was due on #{loan.due.strftime('%d %B')}"
    end
  end
end

loans = [
  Library::Loan.new("A field guide to lichens", Date.new(2026, 3, 4)),
  Library::Loan.new("Knots and splices", Date.new(2026, 9, 1)),
]
puts Library.reminders(loans)
